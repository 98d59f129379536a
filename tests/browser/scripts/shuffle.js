// The order into which the page puts a pool, as a text.
([size, secret, value]) =>
  JSON.stringify(orderOf(Array.from({ length: size }, (_, at) => at), unhex(secret), value))
