"""What is called when a run, an epoch or a batch begins or ends; one file each."""
