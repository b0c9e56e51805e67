"""Reference of everything that a user writes, read from the declarations: configs, materials, cluster files."""
