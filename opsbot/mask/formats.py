"""Secrets that are known by their form alone: a table of patterns, each named for who issues the token.

A pattern marks the secret as group 1, or as the whole match where it has no group. Every pattern opens with a literal
and repeats only classes that cannot overlap what follows, so that the search is linear whatever the text holds.
"""

from __future__ import annotations

import re

_START = r"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))"

# The forms are those that the issuers document for scanners of leaked secrets.
FORMATS: tuple[tuple[str, str], ...] = (
    ("github", r"gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{22,255}"),
    (
        "gitlab",
        r"(?:glpat|gldt|glrt|glcbt|glptt|glft|glimt|glagent|gloas|glsoat|glffct)-[\w.-]{20,300}|GR1348941[\w-]{20}",
    ),
    ("aws", r"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z2-7]{16}(?![A-Za-z0-9])|ABSK[A-Za-z0-9+/]{100,}={0,2}"),
    ("bedrock", r"bedrock-api-key-[A-Za-z0-9+/=]{20,}"),
    ("slack", r"xox[abeoprs](?:\.xox[bp])?-[\w-]{10,}|xapp-\d-[A-Za-z0-9-]{20,}"),
    ("google", r"AIza[\w-]{35}|GOCSPX-[\w-]{20,}|ya29\.[\w-]{20,}"),
    ("model providers", r"sk-[A-Za-z0-9_-]{20,}|pplx-[A-Za-z0-9]{40,}|gsk_[A-Za-z0-9]{40,}"),
    ("payments", r"(?:sk|rk|pk)_(?:test|live|prod)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{20,}|sq0[a-z]{3}-[\w-]{20,}"),
    ("packages", r"npm_[A-Za-z0-9]{30,}|pypi-[\w-]{50,}|hf_[A-Za-z]{34}(?![A-Za-z])|rubygems_[a-f0-9]{48}"),
    ("vault", r"hv[sbr]\.[\w-]{20,}|s\.(?=[A-Za-z]*\d)[A-Za-z0-9]{24}(?![A-Za-z0-9])"),
    ("clouds", r"do[oprt]_v1_[a-f0-9]{64}|dapi[a-f0-9]{32}(?:-\d)?|pul-[a-f0-9]{40}(?![A-Za-z0-9])|HRKU-[\w-]{20,}"),
    (
        "observability",
        (
            r"glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_[A-Za-z0-9+/]{32,}={0,2}|sntry[su]_[\w+/=-]{40,}"
            r"|NR(?:AK|JS|II|RA)-[\w-]{15,}|NRII-[\w-]{32}|dt0c01\.[A-Z0-9]{24}\.[A-Z0-9]{64}"
        ),
    ),
    ("keys by name", r"AGE-SECRET-KEY-1[A-Z0-9]{50,}|A3-[A-Z0-9]{6}-[A-Z0-9-]{25,}|ops_eyJ[A-Za-z0-9+/]{100,}={0,3}"),
    (
        "deploy",
        r"f(?:o1_[\w-]{40,}|m[12][ar]?_[A-Za-z0-9+/=,_-]{60,})|v1\.0-[a-f0-9]{24}-[a-f0-9]{100,}|tk-us-[\w-]{40,}",
    ),
    ("azure", r"[\w.~-]{3}\dQ~[\w.~-]{31,34}(?![\w.~-])"),
    ("sendgrid", r"SG\.[\w-]{16,64}\.[\w-]{16,64}|key-[a-f0-9]{32}|(?:shpat|shpss|shpca|shppa)_[a-fA-F0-9]{32}"),
    ("openshift", r"sha256~[\w-]{20,}"),
    ("sourcegraph", r"sgp_(?:[A-Za-z0-9]{16}_|local_)?[A-Fa-f0-9]{40}"),
    ("atlassian", r"ATATT3[\w=-]{100,}|EAA[A-Za-z0-9]{60,}|PMAK-[a-f0-9]{24}-[a-f0-9]{34}|lin_api_[A-Za-z0-9]{40}"),
    (
        "by length",
        (
            r"ntn_[A-Za-z0-9]{40,}|api_org_[A-Za-z]{34}(?![A-Za-z])|4b1d[A-Za-z0-9]{38}(?![A-Za-z0-9])"
            r"|s-s4t2(?:ud|af)-[a-f0-9]{64}|[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk|\d{15,16}\|[\w-]{27}(?![\w-])"
        ),
    ),
    ("jwt", r"e(?:yJ|wog)[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){0,3}"),
)
TOKEN = re.compile(_START + "(?:" + "|".join(pattern for _, pattern in FORMATS) + ")", re.ASCII)
