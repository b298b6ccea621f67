"""The stages of dvc.yaml, the notebooks that they run, and the server of the pages."""
