// Gives the page a kernel of the server at an address. After a change, `kernel.look()` lets the page notice.
address => {
  const signal = {connect: watch => { kernel.look = watch; watch(); }, disconnect: () => {}};
  window.old = true;
  window.kernel = {status: 'idle', connectionStatus: 'connected', id: '1', serverSettings: {baseUrl: address},
    statusChanged: signal, connectionStatusChanged: signal};
}
