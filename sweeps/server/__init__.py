"""The service: a queue, an API and a page on top of the command line's engine, without sweep logic of its own."""
