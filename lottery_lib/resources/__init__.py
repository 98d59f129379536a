"""The kinds of AWS resource that the lottery uses: one file for each kind, on the base classes in `base`.

Every kind has the same three verbs. ``find`` only reads. ``ensure`` converges: it creates what is missing,
corrects what differs, and makes no write call when nothing differs. ``delete`` treats absence as success.
Each can run twice, be interrupted anywhere, and run again. A resource with our name but without our tags is
refused.

A new kind is a class here, a line in `plan`, and the types of its client in ``pyproject.toml``
(``types-boto3``, then ``make locks``). Deploy, status, teardown, restore and the policies then know it, as
they know the one of ``tests/kit/queue_kind.py``. ``make translations`` finds its word. An export
needs a case in ``data/sam_templates.py``.
"""
