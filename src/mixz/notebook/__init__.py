"""What mixz's values look like where a person asks for them: at a prompt, and in a notebook."""
