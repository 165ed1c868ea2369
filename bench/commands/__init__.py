"""The commands, one module each: options in, one of the lab's parts run, a status out."""
