"""What is measured of running again elsewhere, byte by byte."""
