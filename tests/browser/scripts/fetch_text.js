// The status and the text of a reply, or 0 and what went wrong.
async ([address, settings]) => {
  try { const reply = await fetch(address, settings); return [reply.status, await reply.text()]; }
  catch (error) { return [0, String(error)]; }
}
