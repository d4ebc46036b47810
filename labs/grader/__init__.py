"""The grader of Forklore's labs. `labs/README.md` says how a lab is written, `docs/grading.md` how a verdict is reached."""
