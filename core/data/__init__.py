"""Materials as data: one YAML file each."""
