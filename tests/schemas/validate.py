"""Holds a file to a schema: validate.py json|yaml|xml SCHEMA FILE."""

import json
import sys

kind, schema, path = sys.argv[1:]
if kind == "xml":
    import xmlschema

    xmlschema.XMLSchema(schema).validate(path)
else:
    import jsonschema

    if kind == "yaml":
        import yaml

        class Loader(yaml.SafeLoader):
            """Days stay texts, as they do in JSON."""

        Loader.yaml_implicit_resolvers = {
            first: [(tag, pattern) for tag, pattern in resolvers if "timestamp" not in tag]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }
        with open(path, encoding="utf-8") as file:
            document = yaml.load(file, Loader)
    else:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    with open(schema, encoding="utf-8") as file:
        jsonschema.validate(document, json.load(file))
