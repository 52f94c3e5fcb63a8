"""What a deployment found and did, as a document."""

from . import documents


def deployed(texts, deployment, plan, about, port, state, answer, trusted):
    """`state`: planned (a dry run), nothing (it was there) or running; `trusted`: how many public keys the board has."""
    fits = plan.needed <= plan.free or state == "nothing"
    key = state if fits else "no_room"
    if state == "running" and answer is None:
        key = "unseen"
    return {
        "board": deployment.name,
        "port": port,
        "machine": about.machine,
        "firmware": about.firmware,
        "state": state,
        "release": plan.number,
        "slot": plan.target,
        "agent_version": answer and answer["agent_version"],
        "files": [
            {"file": name, "bytes": len(data), "copied": name in plan.copy}
            for name, data in sorted(deployment.files.items(), key=lambda item: (-len(item[1]), item[0]))
        ],
        "bytes": deployment.bytes,
        "copied": plan.bytes,
        "takes": plan.room,
        "needed": plan.needed,
        "free": plan.free,
        "size": about.size,
        "fits": fits,
        "kept_main": plan.keep_main,
        "went_back": plan.went_back,
        "trusted": trusted,
        "text": texts("deploy", key, board=deployment.name, n=plan.number, slot=plan.target),
    }


def back(texts, deployment, number, slot, port):
    return {
        "board": deployment.name,
        "port": port,
        "state": "back",
        "release": number,
        "slot": slot,
        "text": texts("deploy", "back", n=number, slot=slot),
    }


def failed(texts, board, port, failure):
    """`port`: as it was named, None where it was to be found."""
    return {
        "board": board,
        "port": failure.fields.get("port") or port,
        "state": "failed",
        "error": failure.key,
        "fields": {name: value for name, value in failure.fields.items() if isinstance(value, str | int | list)},
        "text": documents.error_line(texts, failure),
    }
