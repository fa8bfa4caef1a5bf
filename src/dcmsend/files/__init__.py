"""Files and what is in them: arguments -> Instance | Refusal | Notice, Part 10 heads, data sets, DICOMDIRs.

Nothing here knows of the network or the protocol. Everything that is read is untrusted: each loop, allocation and
look-up has a bound. A file that cannot be used raises ``FileError``; nothing else leaves a reader.
"""
