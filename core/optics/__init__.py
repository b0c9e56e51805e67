"""Response of a film to light, and the signal at a detector.

Convention throughout: fields go as exp(-i omega t), so sigma = sigma1 + i sigma2 with sigma2 > 0 for a
condensate, and Im n > 0 absorbs.
"""
