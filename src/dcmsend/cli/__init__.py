"""The command line: arguments -> values -> ``api`` -> log, report and exit code. The only package that prints."""
