// The checks of exercises that do not say that there is something left to do.
() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
  .filter(cell => (cell.getMetadata('tags') || []).includes('check'))
  .filter(cell => !JSON.stringify(cell.outputs.toJSON()).includes('○ not yet'))
  .map(cell => cell.sharedModel.getSource())
