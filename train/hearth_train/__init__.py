"""The micro model from the ground up: `train/run.sh` is the whole run, one module a stage."""
