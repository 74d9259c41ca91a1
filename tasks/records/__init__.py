"""The language that phases share: frozen records without I/O, importing nothing but pydantic."""

from tasks.records.data import DatasetVersion, PromptVersion, QualityReport, Row, SplitName
from tasks.records.evidence import Evidence, EvidenceSet, GateReport, GateResult, Verdict
from tasks.records.handover import Developed, Validated
from tasks.records.model import BaseModelVersion, SecurityRequirements, TrainedAdapter
from tasks.records.operation import LimitResult, OperateReport, TrafficWindow
from tasks.records.record import Digest, Record
from tasks.records.release import Candidate, Decision, Release, Rollout

__all__ = [
    "BaseModelVersion",
    "Candidate",
    "DatasetVersion",
    "Decision",
    "Developed",
    "Digest",
    "Evidence",
    "EvidenceSet",
    "GateReport",
    "GateResult",
    "LimitResult",
    "OperateReport",
    "PromptVersion",
    "QualityReport",
    "Record",
    "Release",
    "Rollout",
    "Row",
    "SecurityRequirements",
    "SplitName",
    "TrafficWindow",
    "TrainedAdapter",
    "Validated",
    "Verdict",
]
