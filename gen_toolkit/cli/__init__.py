"""The command line: `gen-toolkit`, short `gen`. Commands load what they need when they are called."""
