// Between the cache and the origin: how long an answer is kept, what is not for the viewer, what failure looks like.
import pages from './pages.js';
import ttl from './ttl.js';

const MOST = 10000000;

function now() {
    return Math.floor(Date.now() / 1000);
}

function keep(config, r, status, headers) {
    const seconds = ttl.keepFor(status, headers, config.ttl, config.errorTtls, now());
    r.headersOut['X-Accel-Expires'] = ttl.accelExpires(seconds);
}

function handleResponse(config, r) {
    const headers = r.headersOut;
    Object.keys(headers).forEach(name => {
        const lower = name.toLowerCase();
        if (lower.startsWith('x-lab-') || lower.startsWith('x-accel-')) {
            delete headers[name];
        }
    });
    const control = headers['Cache-Control'];
    const said = {cacheControl: Array.isArray(control) ? control.join(',') : control, expires: headers['Expires']};
    // A 304 that says nothing new leaves the stored answer its own time.
    if (r.status !== 304 || said.cacheControl || said.expires) {
        keep(config, r, r.status, said);
    }
    headers['X-Lab-Stored'] = String(now() - (Number(headers['Age']) || 0));
    delete headers['Age'];
    if (!config.keepsCookies) {
        delete headers['Set-Cookie'];
    }
    const length = Number(headers['Content-Length']);
    if (config.compresses && !headers['Content-Encoding'] && !(length <= MOST)) {
        // Keeps the compressing filters off; viewer.js takes it away again.
        headers['Content-Encoding'] = 'identity';
    }
}

function failed(config, r, status) {
    const refused = status === 502;
    keep(config, r, status, {});
    pages.send(r, status, refused
        ? 'CloudFront attempted to establish a connection with the origin, but either the attempt failed or the origin ' +
            'closed the connection.'
        : 'CloudFront attempted to establish a connection with the origin, but no answer came in time.', config.hint);
}

async function customError(config, r, code) {
    const custom = config.customErrors[code];
    keep(config, r, Number(code), {});
    r.headersOut['X-Lab-Error'] = code;
    // A page that is itself an error must not ask for the page again.
    if (r.headersIn['X-Lab-Page']) {
        return r.return(Number(code), '');
    }
    const page = await r.subrequest('/lab-page-' + code);
    if (page.status !== 200) {
        return pages.send(r, Number(code), 'The origin answered ' + code + ', and the custom error page could not be fetched.',
            custom.path + ': ' + page.status);
    }
    r.headersOut['Content-Type'] = page.headersOut['Content-Type'];
    return r.return(custom.status, page.responseBuffer);
}

/** config: {ttl, errorTtls, customErrors: {code: {path, status}}, keepsCookies, compresses, hint} */
function behind(config) {
    const handlers = {
        response: r => handleResponse(config, r),
        refused: r => failed(config, r, 502),
        late: r => failed(config, r, 504),
    };
    Object.keys(config.customErrors).forEach(code => {
        handlers['error' + code] = r => customError(config, r, code);
    });
    return handlers;
}

export default {behind};
