// The cells that have not run, or ended in an error, or warned.
() => {
  const cells = [...window.jupyterapp.shell.currentWidget.content.model.cells];
  const code = cells.filter(cell => cell.type === 'code' && cell.sharedModel.getSource().trim());
  const wrong = cell => cell.executionCount === null || cell.outputs.toJSON().some(output =>
    output.name === 'stderr' ||
    (output.output_type === 'error' && !(cell.getMetadata('tags') || []).includes('raises-exception')));
  return code.filter(wrong).map(cell => cell.sharedModel.getSource());
}
