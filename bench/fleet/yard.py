"""Where the fleet is built: a copy of an installation that has a champion, so that nothing of it is touched.

with Yard.open(home, work) as yard:
    adapter = yard.train(rows, {"epochs": 1}, augment=False)
    candidate = yard.candidate(adapter=adapter)
"""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.config.load import config_root
from infra.digest import digest_json, digest_tree, hex_of
from infra.errors import TrainingError
from infra.prompts import PromptTemplate
from infra.splits import read_split
from infra.workspace import Workspace, open_workspace
from tasks.records import Candidate, Developed, FineTuned, Row, TrainedAdapter
from tasks.records.provenance import Provenance

_SHARED = ("ledger.db", "audit", "keys", "releases", "handover", "steps", "datasets")


@dataclass(frozen=True)
class Yard:
    """An installation of its own, with the champion, its data and its base."""

    workspace: Workspace
    developed: Developed
    tuned: FineTuned
    kept_in: Path

    @classmethod
    def open(cls, home: Path, work: Path, *, project: str = "default", profile: str = "embedded") -> "Yard":
        """Copy the installation at `home` unless that was done before; hard links would not verify."""
        copy = work / "home"
        if not (copy / "store").exists():
            copy.mkdir(parents=True, mode=0o700, exist_ok=True)
            for name in _SHARED:
                if (home / name).is_dir():
                    shutil.copytree(home / name, copy / name, dirs_exist_ok=True)
                elif (home / name).exists():
                    _copy_database(home / name, copy / name)
            shutil.copytree(home / "store", copy / "store.part")
            (copy / "store.part").rename(copy / "store")
        os.environ["ASSAY_HOME"] = str(copy)
        workspace = open_workspace(project, profile)
        developed = workspace.handover.get("developed", Developed)
        tuned = workspace.handover.get("finetuned", FineTuned)
        if developed is None or tuned is None or workspace.state().champion is None:
            raise SystemExit(f"{home} has no champion yet: run `make run` first")
        kept = work / "adapters"
        kept.mkdir(exist_ok=True)
        return cls(workspace, developed, tuned, kept)

    def rows(self, split: str) -> list[Row]:
        """The rows of one split, verified."""
        dataset = self.developed.dataset
        cells = read_split(self.workspace.store, dataset.splits[split], dataset.content[split])  # type: ignore[index]
        return [Row.model_validate(each) for each in cells]

    @property
    def good(self) -> Path:
        """The champion's adapter."""
        return self.workspace.store.open_tree(self.tuned.adapter.digest)

    @cached_property
    def template(self) -> PromptTemplate:
        """The champion's prompt."""
        return PromptTemplate.from_definition(self.developed.prompt.definition)

    def kept(self, name: str, inputs: Sequence[object], write: Callable[[Path], None]) -> Path:
        """What `write` put into an empty directory, made once for these inputs."""
        key = hex_of(
            digest_json([name, [repr(each) if isinstance(each, bytes) else str(each) for each in inputs]])
        )[:20]
        target = self.kept_in / f"{name}-{key}"
        if not target.exists():
            part = target.with_name(f".{target.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            write(part)
            part.rename(target)
        return target

    def train(
        self, rows: Sequence[Row], changes: dict[str, Any], *, augment: bool, start: Path | None = None
    ) -> Path:
        """A trained adapter directory; `start`: relative to the base with that adapter merged in."""
        inputs = [
            digest_json([row.model_dump(mode="json") for row in rows]),
            json.dumps(changes, sort_keys=True),
            augment,
            start or "",
        ]
        return self.kept("trained", inputs, lambda target: self._train(rows, changes, augment, start, target))

    def _train(
        self, rows: Sequence[Row], changes: dict[str, Any], augment: bool, start: Path | None, target: Path
    ) -> None:
        from infra.models.load import load_base, load_tuned
        from tasks.finetune.augmentation.epochs import epoch_examples
        from tasks.finetune.training.loop import train
        from tasks.finetune.training.rows import TrainingExample
        from tasks.finetune.training.settings import TrainingSettings

        project, labels = self.workspace.project, self.template.labels
        base = self.workspace.store.open_tree(self.developed.base.digest)
        settings = TrainingSettings(**{**project.training.model_dump(), "patience": None, **changes})
        work = target / "work"
        train(
            load_tuned(base, start) if start else load_base(base),
            [TrainingExample(row.text, row.label) for row in rows],
            self.template.messages,
            settings,
            base_digest=self.developed.base.digest,
            checkpoint_dir=work / "checkpoint",
            output_dir=work / "adapter",
            epoch_examples=epoch_examples(rows, project.augmentation, settings.seed, labels)
            if augment
            else None,
            labels=labels,
        )
        for file in sorted((work / "adapter").iterdir()):
            shutil.copyfile(file, target / file.name)
        shutil.rmtree(work)

    def _provenance(self, developed: Developed, adapter: TrainedAdapter) -> Provenance | None:
        """As fine-tune writes it; the champion's where it refuses to write one."""
        from tasks.finetune.provenance import make_provenance

        if adapter.digest == self.tuned.adapter.digest and developed == self.developed:
            return self.tuned.provenance
        try:
            return make_provenance(self.workspace.store, self.workspace.project, developed, adapter)
        except TrainingError:
            return self.tuned.provenance

    def configs_with(self, name: str, content: bytes) -> Path:
        """The configuration directory with one file replaced."""

        def write(target: Path) -> None:
            shutil.copytree(config_root(), target, dirs_exist_ok=True)
            (target / name).write_bytes(content)

        return self.kept("configs", [digest_tree(config_root()), name, content], write)

    @contextlib.contextmanager
    def configured(self, configs: Path | None) -> Iterator["Yard"]:
        """This yard under another configuration; children of the runner inherit it."""
        if configs is None:
            yield self
            return
        before = os.environ.get("ASSAY_CONFIGS")
        os.environ["ASSAY_CONFIGS"] = str(configs)
        try:
            yield replace(self, workspace=open_workspace(self.workspace.name, self.workspace.project.profile))
        finally:
            os.environ.pop("ASSAY_CONFIGS")
            if before is not None:
                os.environ["ASSAY_CONFIGS"] = before

    def candidate(
        self,
        *,
        adapter: Path | None = None,
        prompt: dict[str, Any] | None = None,
        guard: bytes | None = None,
        base: Path | None = None,
        developed: Developed | None = None,
    ) -> Candidate:
        """A unit as `compose_candidate` makes it, with other parts in the places that are given."""
        from tasks.records import PromptVersion

        store, project = self.workspace.store, self.workspace.project
        made = developed or self.developed
        version = made.prompt
        if prompt is not None:
            version = PromptVersion(digest=digest_json(prompt), definition=prompt)
        base_version = made.base
        if base is not None:
            base_version = made.base.model_copy(update={"digest": store.put_tree(base)})
        digest = store.put_tree(adapter) if adapter else self.tuned.adapter.digest
        tuned = self.tuned.adapter.model_copy(
            update={"digest": digest, "base": base_version.digest, "prompt": version.digest}
        )
        guard_digest = store.put_bytes(guard or project.path(project.guard).read_bytes())
        access = store.put_bytes(project.path(project.access).read_bytes())
        unit = digest_json(
            {
                "project": project.name,
                "base": base_version.digest,
                "adapter": digest,
                "prompt": version.digest,
                "guard": guard_digest,
                "access": access,
            }
        )
        whole = made.model_copy(update={"base": base_version, "prompt": version})
        return Candidate(
            project=project.name,
            base=base_version,
            adapter=tuned,
            prompt=version,
            dataset=made.dataset,
            requirements=made.requirements,
            provenance=self._provenance(whole, tuned),
            guard=guard_digest,
            access=access,
            config=project.digest,
            unit=unit,
        )


def _copy_database(source: Path, target: Path) -> None:
    """A consistent copy of a SQLite file that may be open."""
    import sqlite3

    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
