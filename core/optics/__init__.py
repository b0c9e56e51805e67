"""What light does to a film, and what a detector sees of it.

Convention throughout: fields go as exp(-i omega t), so sigma = sigma1 + i sigma2 with sigma2 > 0 for a
condensate, and Im n > 0 absorbs.
"""
