// What happens on the device, as it happens.

const AGAIN = 2000;

/** Listens, and comes back after the stream broke. `heard` has a function an event; `lost` is told when nothing is heard. */
export function listen(heard, lost) {
  const stream = new EventSource('api/events');
  for (const [name, hear] of Object.entries(heard)) {
    stream.addEventListener(name, (event) => hear(JSON.parse(event.data)));
  }
  stream.onerror = () => {
    lost();
    // A stream that was refused does not come back by itself.
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => listen(heard, lost), AGAIN);
  };
}
