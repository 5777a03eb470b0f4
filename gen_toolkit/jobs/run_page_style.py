"""How the page of a run looks, and what a browser may do with it: show it."""

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --bad: #c62828; --good: #2e7d32; --bar: #4a7ebb; }
body { font: 14px/1.5 system-ui, sans-serif; max-width: 72em; margin: 2em auto; padding: 0 1.5em; }
h1 { font-size: 1.5em; margin: 0; } h2 { font-size: 1.1em; margin: 2em 0 .5em; }
.sentence { font-size: 1.15em; margin: .3em 0 1em; } .bad { color: var(--bad); } .good { color: var(--good); }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--soft); padding: .6em .8em; margin: .4em 0;
  border-radius: 4px; max-height: 40em; overflow: auto; font-size: 12.5px; }
table { font-size: 13px; } .note { opacity: .7; }
.bars { display: grid; grid-template-columns: auto minmax(8em, 24em) 1fr auto; gap: 2px 12px; font-size: 13px; }
.bars code { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.bar { background: var(--bar); height: 1em; margin-top: .25em; min-width: 1px; border-radius: 2px; }
details > summary { cursor: pointer; }
.notebook { border-top: 1px solid var(--line); margin-top: .6em; }
.notebook .cell { margin: 1em 0; } .notebook .prompt { opacity: .6; font: 12px monospace; }
.notebook .output_area pre { background: none; border-left: 3px solid var(--line); border-radius: 0; }
.notebook img { max-width: 100%; background: #fff; }
.notebook table { border-collapse: collapse; }
.notebook td, .notebook th { border: 1px solid var(--line); padding: 2px 8px; }
.notebook .k, .notebook .kn, .notebook .ow { color: #7b4fb3; }
.notebook .s1, .notebook .s2, .notebook .sa { color: #2e7d32; }
.notebook .c1 { opacity: .6; } .notebook .mi, .notebook .mf { color: #b35900; }
"""
