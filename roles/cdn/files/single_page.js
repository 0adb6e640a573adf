// A path whose last segment has no dot is a route of the page, not a file. It runs for the default
// behaviour alone, so that an error under /api stays an error.
function handler(event) {
  var request = event.request;
  if (request.uri.split('/').pop().indexOf('.') === -1) {
    request.uri = '/index.html';
  }
  return request;
}
