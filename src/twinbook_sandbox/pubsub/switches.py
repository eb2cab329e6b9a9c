"""What the Pub/Sub API is not known to do one way or the other, and times that a test wants shorter."""

from dataclasses import dataclass


@dataclass(slots=True)
class PubSubSwitches:
    """Behaviours of the emulated Pub/Sub API. Times in seconds of real time, as the wire has no other clock."""

    keepalive_seconds: float = 270.0
    """Longest silence on a stream with events outstanding (2.4.3; about 60 s were seen too)."""
    first_keepalive_seconds: float = 1.0
    """Silence before the first response of a stream. Documented is only the longest, `keepalive_seconds`."""
    idle_close_seconds: float = 60.0
    """A stream with nothing outstanding is closed after this time (2.4.4)."""
    early_headers: bool = True
    """Response headers are sent when the stream is accepted, not with the first response [?]."""
    refuse_repeated_replay: bool = True
    """A later request that carries replay fields is refused, not ignored (2.4.1)."""
    compound_parent_bit: bool = False
    """`changedFields` has the bit of a compound field besides those of its changed parts (3.4)."""
    delivery_delay_ms: int = 0
    """Time between the commit and the delivery of its events."""
    max_selected_entities: int = 5
    """Entities that can be selected for Change Data Capture (3.9)."""
