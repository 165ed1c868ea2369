"""What others wrote runs against ``warpbench serve`` as it comes, where it is installed.

npm's ``ai`` is looked for where ``NODE_PATH`` says (``npm install ai @ai-sdk/openai zod``), and
aiperf, whose packages are too many for the lab's environment, as a command.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

STREAMED = """
name = "streamed"
description = "Twenty pieces, in as many turns as are asked for."
sessions = 1
[model]
ttft_s = 0.2
gap_s = 0.02
completion_tokens = 20
[[rounds]]
"""
_PACKAGES = ("ai", "@ai-sdk/openai", "zod")
_GENERATE_OBJECT = """
const { generateObject } = require("ai");
const { createOpenAI } = require("@ai-sdk/openai");
const { z } = require("zod");
const openai = createOpenAI({ baseURL: process.argv[1] + "/v1", apiKey: "none" });
const schema = z.object({
  route: z.enum(["billing", "support"]),
  certainty: z.number().min(0).max(1),
  parts: z.array(z.object({ name: z.string(), count: z.number().int().positive() })).min(1),
});
(async () => {
  const models = { responses: openai("gpt-4o-mini"), chat: openai.chat("gpt-4o-mini") };
  const found = {};
  for (const [name, model] of Object.entries(models)) {
    const { object } = await generateObject({ model, schema, prompt: "Route this." });
    found[name] = schema.parse(object);
  }
  console.log(JSON.stringify(found));
})();
"""


@pytest.fixture
def root(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "streamed.toml").write_text(STREAMED)
    process = subprocess.Popen(
        [sys.executable, "-m", "warpbench.bench.cli.main", "serve", "streamed.toml", "--port", "0"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield process.stdout.readline().split()[-1]
    process.kill()
    process.communicate()


def node(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed")
    return subprocess.run(
        [found, "-e", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_npms_ai_gets_objects_of_its_schema(root: str) -> None:
    for package in _PACKAGES:
        if node(f"require.resolve({package!r})").returncode:
            pytest.skip(f"npm's package {package} is not where NODE_PATH says")

    finished = node(_GENERATE_OBJECT, root)

    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)
    assert set(found) == {"responses", "chat"}
    for each in found.values():
        assert each["route"] in {"billing", "support"}
        assert 0 <= each["certainty"] <= 1
        assert all(part["count"] > 0 for part in each["parts"])


def write_tokenizer(folder: Path) -> None:
    """Write a tokenizer of single bytes, as Hugging Face's libraries read one."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [chr(256 + number) for number in range(256 - len(shown))]
    letters = [*map(chr, shown), *hidden]
    byte_level = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
    }
    model = {"type": "BPE", "vocab": dict(zip(letters, range(256), strict=True)), "merges": []}
    tokenizer = {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": byte_level,
        "decoder": byte_level,
        "model": model,
    }
    folder.mkdir()
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "!", "eos_token": "!"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def test_aiperf_measures_what_was_drawn_in_conversations_of_two_turns(
    root: str, tmp_path: Path
) -> None:
    aiperf = shutil.which("aiperf")
    if aiperf is None:
        pytest.skip("the command aiperf is not installed")
    write_tokenizer(tmp_path / "tokenizer")
    command = (
        f"profile -m mock --url {root} --endpoint-type chat --streaming --isl 20 --ui none "
        "--concurrency 2 --conversation-num 6 --conversation-turn-mean 2 "
        f"--tokenizer {tmp_path / 'tokenizer'} --artifact-dir {tmp_path / 'out'}"
    )

    finished = subprocess.run(
        [aiperf, *command.split()], capture_output=True, text=True, check=False, timeout=240
    )

    assert finished.returncode == 0, finished.stdout + finished.stderr
    found = json.loads((tmp_path / "out" / "profile_export_aiperf.json").read_text())
    assert found["request_count"]["avg"] == 12
    assert found.get("error_request_count") is None
    assert found["inter_chunk_latency"]["count"] == 12 * 19
    # How much later a busy machine is, is no matter here; nothing comes before it was drawn for.
    assert found["time_to_first_token"]["min"] >= 200
    assert found["request_latency"]["min"] >= 200 + 19 * 20
