#!/usr/bin/env python3
"""Says in a few lines what /api/v1/breaks of the analyzer answers.

  curl -s localhost:8085/api/v1/breaks | show_breaks.py
"""

import json
import sys
import textwrap

for found in json.load(sys.stdin)["breaks"]:
    for place in found["places"]:
        hop = " -> ".join(name for name in (place["service"], place["peer"]) if name)
        policy = f", policy {place['policy']}" if place["policy"] else ""
        print(f"{hop}: {place['count']} calls, {found['cause']}{policy}")
    print(textwrap.fill(found["sentence"], 100, initial_indent="  why:     ", subsequent_indent="           "))
    print(textwrap.fill(found["advice"], 100, initial_indent="  do:      ", subsequent_indent="           "))
    for example in found["places"][0]["examples"][:1]:
        print(f"  example: trace {example['trace_id']}, span {example['span_id']}, {found['places'][0]['span_name']}")
