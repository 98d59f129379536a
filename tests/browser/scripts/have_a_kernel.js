// Gives the page a kernel; `watchers` are told when it changes.
() => {
  window.watchers = [];
  const signal = {connect: watch => watchers.push(watch), disconnect: () => {}};
  window.kernel = {status: 'idle', connectionStatus: 'connected', statusChanged: signal,
    connectionStatusChanged: signal};
}
