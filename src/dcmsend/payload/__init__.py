"""Instance and accepted transfer syntax -> the bytes of the data set, in buffers that belong to the sender.

The rule: bytes go out as they are in the file wherever the transfer syntax allows it. Memory never depends on the
size of a file. What cannot be sent faithfully raises ``FileError`` before its first byte is out.
"""
