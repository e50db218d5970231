#!/usr/bin/env python3
"""Arrow's golden files: is what ipc_dump reads what their JSON says?

    ipc_golden.py IPC_DUMP FOLDER

FOLDER is .../arrow-ipc-stream/integration. Each .stream and .arrow_file is read, and copied through our writer into each
form and read again. Exit status 77 means that the folder is not there (ctest shows the test as skipped)."""

import gzip
import json
import os
import struct
import subprocess
import sys
import tempfile

UNITS = {"SECOND": 0, "MILLISECOND": 1, "MICROSECOND": 2, "NANOSECOND": 3}


def integer_kind(t):
    return ("int" if t["isSigned"] else "uint") + str(t["bitWidth"])


def kind_of(t):
    name = t["name"]
    if name == "int":
        return integer_kind(t)
    if name == "floatingpoint":
        return {"HALF": "float16", "SINGLE": "float32", "DOUBLE": "float64"}[t["precision"]]
    if name == "decimal":
        return "decimal" + str(t.get("bitWidth", 128))
    if name == "date":
        return {"DAY": "date32", "MILLISECOND": "date64"}[t["unit"]]
    if name == "time":
        return "time" + str(t["bitWidth"])
    if name == "interval":
        return {"YEAR_MONTH": "interval(months)", "DAY_TIME": "interval(days, milliseconds)",
                "MONTH_DAY_NANO": "interval(months, days, nanoseconds)"}[t["unit"]]
    if name == "union":
        return t["mode"].lower() + "_union"
    return {"largeutf8": "large_utf8", "largebinary": "large_binary", "utf8view": "utf8_view",
            "binaryview": "binary_view", "fixedsizebinary": "fixed_size_binary", "largelist": "large_list",
            "listview": "list_view", "largelistview": "large_list_view", "fixedsizelist": "fixed_size_list",
            "runendencoded": "run_end_encoded"}.get(name, name)


def pairs(metadata):
    """In any order: some writers sort the pairs of extension types."""
    return sorted([m["key"], m["value"]] for m in metadata or [])


class Golden:
    def __init__(self, path):
        self.json = json.load(gzip.open(path))
        self.dictionaries = {d["id"]: d["data"] for d in self.json.get("dictionaries", [])}
        self.entries = {}

    def check_field(self, field, got, where, in_map=False):
        where += "." + field["name"]
        if not in_map: # maps' children have names that do not count, and that writers change
            same(where, field["name"], got["name"])
        same(where, field["nullable"], got["nullable"])
        same(where, pairs(field.get("metadata")), sorted(got["metadata"]))
        if "dictionary" in field:
            same(where, "dictionary", got["kind"])
            same(where, integer_kind(field["dictionary"]["indexType"]), got["index"])
            same(where, int(field["dictionary"]["isOrdered"]), got["ordered"])
            got = got["children"][0]
        t = field["type"]
        same(where, kind_of(t), got["kind"])
        if "precision" in t and t["name"] == "decimal":
            same(where, (t["precision"], t["scale"]), (got["precision"], got["scale"]))
        if t["name"] in ("time", "timestamp", "duration"):
            same(where, UNITS[t["unit"]], got["unit"])
            same(where, t.get("timezone", ""), got["zone"])
        if t["name"] == "union":
            same(where, t["typeIds"], got["type_ids"])
        if t["name"] == "map":
            same(where, int(t["keysSorted"]), got["ordered"])
        for key in ("byteWidth", "listSize"):
            if key in t:
                same(where, t[key], got["size"])
        same(where, len(field["children"]), len(got["children"]))
        for child, got_child in zip(field["children"], got["children"]):
            self.check_field(child, got_child, where, in_map or t["name"] == "map")

    def lookup(self, field):
        """The values of a field's dictionary."""
        key = field["dictionary"]["id"]
        if key not in self.entries:
            plain = {k: v for k, v in field.items() if k != "dictionary"}
            self.entries[key] = self.values(plain, self.dictionaries[key]["columns"][0])
        return self.entries[key]

    def values(self, field, column):
        """All rows of a column as ipc_dump prints them."""
        count = column["count"]
        valid = column.get("VALIDITY") or [1] * count
        rows = self.lookup_rows(field, column) if "dictionary" in field else self.raw(field, column, count)
        name = field["type"]["name"]
        if "dictionary" not in field and (name in ("union", "runendencoded")):
            return rows
        return [r if v else None for r, v in zip(rows, valid)]

    def lookup_rows(self, field, column):
        entries = self.lookup(field)
        valid = column.get("VALIDITY") or [1] * column["count"]
        return [entries[int(i)] if v else None for i, v in zip(column["DATA"], valid)]

    def raw(self, field, column, count):
        t = field["type"]
        name = t["name"]
        if name == "null":
            return [None] * count
        if name == "bool":
            return [bool(v) for v in column["DATA"]]
        if name in ("utf8", "largeutf8"):
            return [v.encode().hex() for v in column["DATA"]]
        if name in ("binary", "largebinary", "fixedsizebinary"):
            return [v.lower() for v in column["DATA"]]
        if name in ("utf8view", "binaryview"):
            return [self.view(name, v, column["VARIADIC_DATA_BUFFERS"], valid)
                    for v, valid in zip(column["VIEWS"], column["VALIDITY"])]
        if name in ("list", "largelist", "map", "listview", "largelistview", "fixedsizelist"):
            return self.lists(field, column, count)
        if name == "struct":
            columns = [self.values(f, c) for f, c in zip(field["children"], column["children"])]
            return [[c[i] for c in columns] for i in range(count)]
        if name == "union":
            return self.union(field, column, count)
        if name == "runendencoded":
            ends = [int(e) for e in column["children"][0]["DATA"]]
            runs = self.values(field["children"][1], column["children"][1])
            rows, start = [], 0
            for end, value in zip(ends, runs):
                rows += [value] * (end - start)
                start = end
            return rows[:count]
        return [self.number(t, v) for v in column["DATA"]]

    @staticmethod
    def view(name, view, buffers, valid):
        if not valid:
            return None
        if view["SIZE"] <= 12:
            inlined = view["INLINED"]
            return inlined.encode().hex() if name == "utf8view" else inlined.lower()
        start = 2 * view["OFFSET"]
        return buffers[view["BUFFER_INDEX"]].lower()[start:start + 2 * view["SIZE"]]

    def lists(self, field, column, count):
        items = self.values(field["children"][0], column["children"][0])
        name = field["type"]["name"]
        if name == "fixedsizelist":
            size = field["type"]["listSize"]
            return [items[i * size:(i + 1) * size] for i in range(count)]
        offsets = [int(o) for o in column["OFFSET"]]
        if name in ("listview", "largelistview"):
            return [items[o:o + int(s)] for o, s in zip(offsets, column["SIZE"])]
        return [items[offsets[i]:offsets[i + 1]] for i in range(count)]

    def union(self, field, column, count):
        children = [self.values(f, c) for f, c in zip(field["children"], column["children"])]
        ids = field["type"]["typeIds"]
        rows = []
        for i in range(count):
            type_id = column["TYPE_ID"][i]
            at = column["OFFSET"][i] if field["type"]["mode"] == "DENSE" else i
            rows.append([type_id, children[ids.index(type_id)][at]])
        return rows

    @staticmethod
    def number(t, value):
        kind = kind_of(t)
        if kind.startswith("float"):
            return struct.pack({"float16": "<e", "float32": "<f", "float64": "<d"}[kind], value).hex()
        if kind == "interval(days, milliseconds)":
            return struct.pack("<ii", value["days"], value["milliseconds"]).hex()
        if kind == "interval(months, days, nanoseconds)":
            return struct.pack("<iiq", value["months"], value["days"], value["nanoseconds"]).hex()
        widths = {"interval(months)": 4, "date32": 4, "date64": 8, "timestamp": 8, "duration": 8}
        width = widths.get(kind) or int("".join(c for c in kind if c.isdigit())) // 8
        return int(value).to_bytes(width, "little", signed=not kind.startswith("uint")).hex()


class Different(Exception):
    pass


def same(where, expected, got):
    if expected != got:
        raise Different(f"{where}: expected {str(expected)[:300]}, got {str(got)[:300]}")


def read(dump, path):
    done = subprocess.run([dump, path], capture_output=True)
    if done.returncode != 0:
        raise Different(done.stderr.decode(errors="replace").strip()[:2000])
    return json.loads(done.stdout)


def check(golden, got):
    schema = golden.json["schema"]
    same("schema", pairs(schema.get("metadata")), sorted(got["schema"]["metadata"]))
    same("fields", len(schema["fields"]), len(got["schema"]["children"]))
    for field, got_field in zip(schema["fields"], got["schema"]["children"]):
        golden.check_field(field, got_field, "schema")
    same("batches", len(golden.json["batches"]), len(got["batches"]))
    for number, (batch, got_batch) in enumerate(zip(golden.json["batches"], got["batches"])):
        same(f"rows of batch {number}", batch["count"], got_batch["count"])
        for field, column, rows in zip(schema["fields"], batch["columns"], got_batch["columns"]):
            same(f"batch {number}, column {field['name']}", golden.values(field, column), rows)


def main():
    dump, folder = sys.argv[1:3]
    if not os.path.isdir(folder):
        print(f"skipped: no ../shared: {folder}")
        return 77
    failed = checked = 0
    with tempfile.TemporaryDirectory() as scratch:
        for version in sorted(os.listdir(folder)):
            for name in sorted(os.listdir(os.path.join(folder, version)) if "." in version[1:] and not
                               version.endswith(".md") else []):
                base, _, form = name.partition(".")
                path = os.path.join(folder, version, name)
                if form not in ("stream", "arrow_file"):
                    continue
                try:
                    golden = Golden(os.path.join(folder, version, base + ".json.gz"))
                    check(golden, read(dump, path))
                    for to in (["stream", "none"], ["stream", "zstd"], ["file", "lz4"], ["file", "none"]):
                        copy = os.path.join(scratch, "copy")
                        done = subprocess.run([dump, "--copy", *to, path, copy], capture_output=True)
                        if done.returncode != 0:
                            raise Different(" ".join(to) + ": " + done.stderr.decode(errors="replace")[:2000])
                        check(golden, read(dump, copy))
                    checked += 1
                except Different as e:
                    failed += 1
                    print(f"{version}/{name}: {e}")
    print(f"{checked} files agree, {failed} do not")
    return 1 if failed or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
