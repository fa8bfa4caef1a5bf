"""The DICOM upper layer and DIMSE protocols as pure functions: bytes in, values out, and the reverse.

Nothing here knows of sockets, files, clocks, threads or loggers; what is untrusted is bounded before it is kept.
"""
