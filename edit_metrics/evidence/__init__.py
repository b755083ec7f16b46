"""Pictures drawn while scoring, from features that are there anyway; no score depends on one."""
