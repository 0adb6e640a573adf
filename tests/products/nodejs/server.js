// The smallest product on Node.js: healthy when asked, and it says what it runs with.
const http = require("node:http");

http
  .createServer((request, response) => {
    const known = request.url === "/health";
    response.writeHead(known ? 200 : 404, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ runtime: `node ${process.version}`, environment: process.env.NODE_ENV }));
  })
  .listen(Number(process.env.PORT), "127.0.0.1");
