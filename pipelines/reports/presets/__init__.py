"""Reports that are ready to be loaded, a YAML file each."""
