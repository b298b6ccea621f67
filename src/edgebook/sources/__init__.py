"""Bars from anywhere: databases, exchanges and Yahoo are received into dated parts, and read as known at a time."""
