"""What params.yaml may say: its sections, typed and checked, and the recipes, exit plans and markets that it names."""
