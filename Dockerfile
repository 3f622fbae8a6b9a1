# The service for production: no embedded Postgres, no tests. `server` and `worker` are the same image.
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/whatnext
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY service service
RUN /opt/whatnext/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.13-slim
RUN useradd --create-home --uid 10001 whatnext
COPY --from=build /opt/whatnext /opt/whatnext
USER whatnext
WORKDIR /home/whatnext
ENV PATH=/opt/whatnext/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    WHATNEXT_HOST=0.0.0.0 \
    WHATNEXT_PORT=8321
EXPOSE 8321
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8321/livez', timeout=2)"]
ENTRYPOINT ["whatnext-service"]
CMD ["serve"]
