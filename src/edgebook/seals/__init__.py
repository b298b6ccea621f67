"""What a week leaves: written once, held to a shape and a digest, and read again."""
