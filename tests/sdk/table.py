# SPDX-License-Identifier: Apache-2.0
"""Which SDK can do what, as Markdown, from what the programs told."""
import json
import re
from importlib.metadata import version

from sdks import FOLDER, WAYS
from steps import STEPS, failure

SHORT = {"lite": "Lite", "milvus": "2.3.5"}


def pinned(file, pattern):
    return re.search(pattern, (FOLDER / file).read_text())[1]


def titles():
    """Of the columns: the SDKs, in the versions that are pinned."""
    node = json.loads((FOLDER / "node/package.json").read_text())["dependencies"]["@zilliz/milvus2-sdk-node"]
    return {
        "pymilvus": f"pymilvus {version('pymilvus')}",
        "pymilvus_async": "its AsyncMilvusClient",
        "node": f"Node {node}",
        "go": "Go " + pinned("go/go.mod", r"milvus/client/v2 v(\S+)"),
        "java": "Java " + pinned("java/pom.xml", r"(?s)milvus-sdk-java</artifactId>\s*<version>(.*?)<"),
    }


def works(site, sdk, step):
    """Whether it does; None when the daemon makes a difference."""
    direct = site.told(sdk, "direct")[step]
    if any(site.told(sdk, way)[step] != direct for way in WAYS[sdk]):
        return None
    return "result" in direct or bool(STEPS[step].error)


def word(sites, found):
    if None in found.values():
        return "differs"
    there = [SHORT[name] for name, does in found.items() if does]
    return "yes" if len(there) == len(sites) else ", ".join(there) or "no"


def cell(sites, sdk, step, numbers):
    """Where it works, and the numbers of the reasons why it does not elsewhere."""
    found = {site.name: works(site, sdk, step) for site in sites}
    reasons = [failure(name, sdk, step) for name, does in found.items() if not does]
    marks = [f"[{numbers.setdefault(reason.why, len(numbers) + 1)}]" for reason in reasons if reason]
    return " ".join([word(sites, found), *marks])


def markdown(sites):
    """A row a step, a column an SDK: yes, or the only server where it works; the same directly as through."""
    columns = {sdk: title for sdk, title in titles().items() if all(sdk in site.runs for site in sites)}
    numbers = {}
    lines = [f"| | {' | '.join(columns.values())} |", "|---" * (len(columns) + 1) + "|"]
    for step, about in STEPS.items():
        cells = [cell(sites, sdk, step, numbers) for sdk in columns]
        lines.append(f"| {about.title} | {' | '.join(cells)} |")
    lines += ["", *(f"{number}. {why}" for why, number in numbers.items())]
    return "\n".join(lines) + "\n"
