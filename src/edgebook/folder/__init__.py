"""Bars from a folder of files of any shape: names, times and prices are recognised, or refused by file and row."""
