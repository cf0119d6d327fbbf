"""The same guest book in Python. Both keep the same things in the store, so each reads what the other one wrote."""

import json

import wit_world
from componentize_py_types import Err
from wit_world import Signature
from wit_world.imports import atomics, store
from wit_world.imports.store import Error_AccessDenied, Error_NoSuchStore, Error_Other

# What the host knows the store by.
STORE = "guestbook"

# The key of the last number.
LAST = "last"


class WitWorld(wit_world.WitWorld):
    """The world of the plugin: what it exports."""

    def sign(self, name, words):
        """Adds a signature; its number."""

        def ask(bucket):
            # Nothing comes between the reading and the writing of the number, so no two signatures have the same one.
            number = atomics.increment(bucket, LAST, 1)
            text = json.dumps({"name": name, "words": words}, ensure_ascii=False, separators=(",", ":"))
            bucket.set(key_of(number), text.encode())
            return number

        return answer(ask)

    def latest(self, count):
        """The last `count` signatures, the latest first."""

        def ask(bucket):
            found = []
            number = int(bucket.get(LAST) or 0)
            while number > 0 and len(found) < count:
                signature = bucket.get(key_of(number))
                # A signature that was refused, as it went past a quota, has left its number without one.
                if signature is not None:
                    found.append(Signature(**json.loads(signature)))
                number -= 1
            return found

        return answer(ask)


def answer(ask):
    """What `ask` answers, given the store. An `Err` that is raised from here, with a sentence, is the caller's `err`."""
    try:
        # The host counts open buckets; this one is given back at the end of the block.
        with store.open(STORE) as bucket:
            return ask(bucket)
    except Err as refusal:
        raise Err(sentence(refusal.value)) from None
    except (ValueError, TypeError) as error:
        raise Err(f"the store {STORE} holds what is no signature: {error}") from None


def sentence(refusal):
    match refusal:
        case Error_NoSuchStore():
            return f"there is no store called {STORE}"
        case Error_AccessDenied():
            return f"the store {STORE} was not granted for this"
        case Error_Other(words):
            return words


def key_of(number):
    return f"signature/{number}"
