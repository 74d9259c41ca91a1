"""Configuration: one frozen `Project`, read from YAML, a profile's overrides and `ASSAY_` variables.

project = load_project("triage", profile="embedded")
project.digest                      # what goes into every release
"""

from infra.config.load import config_root, load_project, profile_names, project_names, state_home
from infra.config.project import Project

__all__ = ["Project", "config_root", "load_project", "profile_names", "project_names", "state_home"]
