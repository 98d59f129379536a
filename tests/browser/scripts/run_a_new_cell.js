// Adds a cell at the end, and runs it.
async source => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  const shared = notebook.model.sharedModel;
  shared.insertCell(shared.cells.length, {cell_type: 'code', source});
  notebook.activeCellIndex = shared.cells.length - 1;
  await window.jupyterapp.commands.execute('notebook:run-cell');
}
