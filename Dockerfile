# One image for web, worker and beat: the command says which.
FROM python:3.13-slim

# Each of many threads would otherwise keep memory of its own for what it has long given back: with two such stores the web
# server's memory stays flat.
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 MALLOC_ARENA_MAX=2
WORKDIR /app

# Requirements change less often than code: their layer is kept.
COPY requirements/base.txt requirements/base.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/base.txt

COPY . .
# Compiled once here: who runs it may write nothing beside it.
RUN python -m compileall -q environments writ_app
# The key is of this one command: collecting files signs nothing.
RUN WRIT_ENV=production WRIT_SECRET_KEY=unused WRIT_ALLOWED_HOSTS=localhost \
    python manage.py collectstatic --noinput \
 && useradd --system --create-home --uid 10001 writ \
 && install -d -o writ -g writ -m 700 var

USER writ
ENV WRIT_ENV=production
EXPOSE 8321
# Of the web server, which is the default command; compose gives every other kind its own.
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=4 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8321/health/live', timeout=5)"]
CMD ["gunicorn", "writ_app.wsgi", "--bind", "0.0.0.0:8321", "--preload", "--no-control-socket", "--access-logfile", "-"]
