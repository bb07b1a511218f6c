"""What makes a result again, as a small dict: free of dates and machines, so equal sweeps have equal
provenance."""

import hashlib

import numpy as np

from . import _core, _params

RULES = {
    True: "Philox(root seed, rep)",
    False: "Philox(root seed, point, rep)",
    None: "Philox(root seed, rep)",
}


def params_hash(model, rows, pool):
    """sha256 of the canonical text of every parameter: one line per field, one value where all points
    agree."""
    digest = hashlib.sha256(f"{model.name}\n".encode())
    for field in model.fields:
        digest.update(f"{field['name']}={field_text(model, field, rows, pool)}\n".encode())
    return digest.hexdigest()


def field_text(model, field, rows, pool):
    """The canonical text of one parameter at all points."""
    column = rows[field["name"]]
    if field["type"] in ("distribution", "table"):
        seen, texts = {}, []
        for k in range(rows.size):
            raw = column[k].tobytes()
            if raw not in seen:
                seen[raw] = _params.written(model, field, rows[k], pool)
            texts.append(seen[raw])
        return texts[0] if len(seen) == 1 else repr(texts)
    if np.all(column == column[0]):
        return repr(column[0].item())
    return repr(column.tolist())


def provenance(model, rows, pool, seed, crn, reps, mutant):
    """The dict that every result and every saved file carries."""
    out = {
        "distlab": _core.VERSION,
        "model": model.name,
        "params_sha256": params_hash(model, rows, pool),
        "points": int(rows.size),
        "reps": int(reps),
        "seed": int(seed),
    }
    if crn is not None:
        out |= {"keys": RULES[crn], "crn": bool(crn)}
    if mutant is not None:
        out["mutant"] = f"{model.name}:{mutant}"
    return out
