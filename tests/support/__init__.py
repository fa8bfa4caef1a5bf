"""What several tests need: real servers, a scripted peer, and their own view of the formats.

Nothing here imports the package: a test must not check the code by itself.
"""
