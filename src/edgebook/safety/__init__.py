"""What is measured of hostile files and killed runs."""
