"""Trades of other programs, read and written: freqtrade, backtesting.py, vectorbt."""
