"""The service: a queue, an API and a page over the engine that the command line uses. No sweep logic of its own."""
