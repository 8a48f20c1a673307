"""Roles, slots and wake-ups: who does what is due, and when. What is due is read off the records, never kept here."""

from opsbot.tasks.attempt import SkillFunction
from opsbot.tasks.queue import WakeUps
from opsbot.tasks.schedule import Schedule
from opsbot.tasks.team import Slots, check_team, pick
from opsbot.tasks.worker import Terms, Worker

__all__ = ["Schedule", "SkillFunction", "Slots", "Terms", "WakeUps", "Worker", "check_team", "pick"]
